"""What kploy talks about: frozen data, no input or output."""
