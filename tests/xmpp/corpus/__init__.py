"""What once broke somebody's server, to be read by ours again and again."""
