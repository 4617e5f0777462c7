"""What kploy knows: pure functions, to which time is an argument."""
