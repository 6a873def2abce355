"""What can be asked: a company's catalog as GraphQL types, the fixed schema, caches of schemas and documents, limits.

No resolver bodies live here: roots carry the resolvers that they are given.
"""
