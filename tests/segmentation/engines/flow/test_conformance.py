from tests.segmentation.engine_conformance import EngineConformance


class TestFlow(EngineConformance):
    engine = "flow"
