"""Ready applications as JSON documents: one folder each, to be published as they are and reshaped by the company.

Beside documents a folder holds `imports/` (mapping files for data that fits it) and `queries/` (to try). No code here.
"""
