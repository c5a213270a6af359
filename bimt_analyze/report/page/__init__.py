"""A report as one page of HTML: what its reader asked first, every picture in words too."""
