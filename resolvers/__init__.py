"""How an operation is answered: root operations, variables, plans of reads.

Knows GraphQL documents but neither SQL nor HTTP; schema/ stands above and imports from here.
"""
