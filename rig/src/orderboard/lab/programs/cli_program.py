"""x."""
def cli_program(entry): return ""
