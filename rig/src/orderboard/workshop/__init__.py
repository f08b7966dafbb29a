"""The workshop: exercises that are solved on the running system, and checks that read what happened there."""
