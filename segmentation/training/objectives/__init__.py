"""The training objective of each engine: a module named after the engine, with a class `Objective`."""
