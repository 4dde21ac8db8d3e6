"""How each engine learns: a module named after the engine, with a class `Lesson`."""
