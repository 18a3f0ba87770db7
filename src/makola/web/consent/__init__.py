"""What a person sees of OAuth: the consent page, and signing out for an application."""
