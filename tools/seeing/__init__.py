"""Eyes: a vision model looks at a picture and says how far it shows what was asked for."""
