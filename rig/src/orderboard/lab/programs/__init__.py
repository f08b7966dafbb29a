"""Programs that a person can keep: an experiment as Python with boto3, or as a script with the AWS CLI."""

from orderboard.lab.programs.boto3_program import boto3_program
from orderboard.lab.programs.cli_program import cli_program

__all__ = ["boto3_program", "cli_program"]
