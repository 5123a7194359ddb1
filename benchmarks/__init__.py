"""What the product can do per second, each measured against a plain rival in the same run."""
