"""How it is shown: events in, sentences, tables and JSON out. The only rooms that know rich."""
