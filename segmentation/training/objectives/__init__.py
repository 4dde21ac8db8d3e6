"""The training objectives: for each engine a module that has its name and contains a class `Objective`."""
