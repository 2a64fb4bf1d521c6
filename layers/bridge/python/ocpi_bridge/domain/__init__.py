"""What is true without any wire: requests, sessions, plans, partners and stations. Standard library only."""
