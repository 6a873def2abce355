"""The commands of `pliant`, one file for each group. `pliant.cli.COMMANDS` lists them."""
