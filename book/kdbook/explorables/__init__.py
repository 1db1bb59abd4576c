"""What the explorables of the pages read: small files, made from the data and from records."""
