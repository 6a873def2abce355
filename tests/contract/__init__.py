"""What can be seen from outside, end to end through a house, on every engine."""
