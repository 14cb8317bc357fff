"""What a session takes, and what that makes of a club, a country, and all of the site."""
