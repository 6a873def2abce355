"""Long checks with a seed and a time to run: `make campaign-*`; small runs of them belong to the tests."""
