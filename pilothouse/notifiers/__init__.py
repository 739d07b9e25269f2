"""Ways to tell somebody elsewhere: each is one file, and `app.py` names it."""
