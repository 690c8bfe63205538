"""The email channel against a real Dovecot, a scripted SMTP server, and a corpus of mail."""
