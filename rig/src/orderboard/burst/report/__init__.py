"""A burst's results: terminal, HTML, JUnit and files."""
