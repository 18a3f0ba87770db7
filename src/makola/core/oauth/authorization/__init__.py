"""The authorization endpoint: what is asked, what is checked, what comes next."""
