"""Tests of the channels, one folder or file for each."""
