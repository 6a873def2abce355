"""The access room: roles, grants, members, teams, tokens, companies."""
