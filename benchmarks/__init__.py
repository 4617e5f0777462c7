"""What deploys cost: kploy beside other programs, and beside the least that a deploy takes (`make bench`)."""
