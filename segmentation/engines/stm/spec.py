"""The registry entries of both STM engines: names, titles and networks. Reading them does not import PyTorch."""

from segmentation.engine_specs import EngineSpec, NetworkSpec, OfflinePrograms

STM = EngineSpec(
    name="stm",
    title="STM, interactive",
    published=True,
    path="segmentation.engines.stm.engine:InteractiveSTMEngine",
    good_at="Finds an object again after it was hidden: each frame is matched to the annotated ones.",
    networks=(
        NetworkSpec(
            name="stm",
            title="Interactive STM",
            path="segmentation.engines.stm.network:InteractiveSTM",
            config="segmentation.engines.stm.network:STMConfig",
            folder="stm",
            source="github.com/seoungwugoh/STM-Interactive; no licence to pass them on",
            official="e120.pth",
        ),
    ),
    reads_scribbles=True,
    shipped="Its weights are small: STAR is better.",
    programs=OfflinePrograms(
        objectives={"stm": "segmentation.engines.stm.objective:Objective"},
        golden={"stm_interactive": "segmentation.engines.stm.golden_interactive:compute"},
        measure="segmentation.engines.stm.measurement:measure",
        paper_parts="segmentation.engines.stm.measurement:paper_parts",
    ),
)

STM_SEMI = EngineSpec(
    name="stm-semi",
    title="STM, from given masks",
    published=True,
    path="segmentation.engines.stm.semi:SemiSTMEngine",
    good_at="Carries good masks (accepted or painted ones) through the video, frame by frame.",
    networks=(
        NetworkSpec(
            name="stm-semi",
            title="Semi-supervised STM",
            path="segmentation.engines.stm.network:STM",
            config="segmentation.engines.stm.network:STMConfig",
            folder="stm",
            source="github.com/seoungwugoh/STM; no licence to pass them on",
            official="STM_weights.pth",
        ),
    ),
    shipped="Its weights are small: accept a mask that STAR made, and it carries that on.",
    programs=OfflinePrograms(
        golden={"stm": "segmentation.engines.stm.golden:compute"},
        measure="segmentation.engines.stm.measurement:measure",
    ),
)
