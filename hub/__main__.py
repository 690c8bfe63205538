"""`python -m hub …` is `touchline …`."""

from hub.cli import main

main()
