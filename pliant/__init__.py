"""The program: settings, the house where rooms are joined, the command line.

Nothing imports from here: what a server or a command needs of a running company it takes from the house.
"""
