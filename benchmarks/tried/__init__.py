"""What was tried to make small networks faster: a file for each group of ideas."""
