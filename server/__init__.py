"""HTTP: bytes in, bytes out. The only room that knows Starlette and uvicorn.

What a request means is the desk's business (`schema.desk`); here are paths, headers, limits on bytes, statuses, logs
and numbers for operators. One `authenticate()` serves all doors.
"""
