"""The registry entry of STAR and the cutter: names, titles and networks, readable without importing PyTorch."""

from segmentation.engine_specs import EngineSpec, NetworkSpec, OfflinePrograms

STAR = EngineSpec(
    name="star",
    title="STAR",
    path="segmentation.engines.star.engine:StarEngine",
    good_at="Finds objects again by what a pretrained network sees of them, wherever they are. The best one here.",
    networks=(
        NetworkSpec(
            name="star",
            title="STAR",
            path="segmentation.engines.star.network:Star",
            config="segmentation.engines.star.network:StarConfig",
            folder="star",
            source="trained by this project's own command",
        ),
        NetworkSpec(
            name="star-cut",
            title="STAR, cutter",
            path="segmentation.cutter.refinement:RefinementNet",
            config="segmentation.cutter.refinement:RefinementNetConfig",
            folder="star",
            source="trained by this project's own command",
        ),
    ),
    preferred=True,  # It has the best results in the benchmark on a CPU.
    programs=OfflinePrograms(
        objectives={
            "star": "segmentation.engines.star.objective:Objective",
            "star-cut": "segmentation.engines.star.cutter_objective:Objective",
        },
        shipped_parts="segmentation.engines.star.measurement:shipped_parts",
    ),
)
