"""The lab: experiments that put a claim about SQS, SNS, EventBridge or Lambda to the proof, on any backend."""

from orderboard.lab.experiment import EVENTS, SNS, SQS, Experiment
from orderboard.lab.values import Joined, Json, LongText, Name

__all__ = ["EVENTS", "SNS", "SQS", "Experiment", "Joined", "Json", "LongText", "Name"]
