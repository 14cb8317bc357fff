"""Pages a second: the project's parsers against BeautifulSoup, on the same pages, in the same run."""
