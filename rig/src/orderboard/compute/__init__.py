"""Containers or functions: the worker as both under the same load, measured, and their cost on AWS."""
