"""Pictures that customers name by an URL: fetched once, made safe, and shown from our own copy.

Our pages load nothing from elsewhere (`img-src 'self'`), so nobody learns who looks at them, and no picture changes
behind a reviewer's back while people look at it.
"""
