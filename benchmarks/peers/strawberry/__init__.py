"""The hand-written application: Strawberry, SQLAlchemy's asynchronous ORM and DataLoaders."""
