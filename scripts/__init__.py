"""Programs that set up, check and describe a checkout; `make help` lists them."""
