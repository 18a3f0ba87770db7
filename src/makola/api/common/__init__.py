"""What both API families need before they part: credentials, requests, answers."""
