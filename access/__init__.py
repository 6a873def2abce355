"""Who may do what: companies, members, teams, roles, grants, tokens, actors.

Access decides who; records decides which rows. Row rules are kept here as expression trees and become SQL in
records/gate.
"""
