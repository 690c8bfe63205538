"""One special door: forms that websites post to. Parses, checks and guards; knows no database."""
