"""Telephone exchanges as the hub sees them: whose phones there are, how they are now, orders, and where calls go."""
