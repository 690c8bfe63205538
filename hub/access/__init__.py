"""How people and programs prove who they are: keys, tokens, one-time tickets, passwords, sessions."""
