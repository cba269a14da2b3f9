"""What is derived from the documents so that passages are found fast; always made again from them."""
