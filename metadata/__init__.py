"""Documents, the catalog made of them, the physical map, publish; fields/ and operators/ have one file per kind.

Other rooms' documents (roles now, forms and workflows later) are parsed through `metadata.kinds.Kind` and held
opaquely. Nothing here knows GraphQL or a record.
"""
