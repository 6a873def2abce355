"""Publishing: from one catalog to the next. What differs, what stands against it, what the tables need."""
