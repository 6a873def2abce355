"""Non-interference (stub while the oracle is tried)."""


async def check_interference(budget, here, random):
    return None
