"""Sample files of a case in the practice's own order, and the pages on which they are arranged."""

from dataclasses import replace
from typing import Final

from ui.pages.samples.cases import CASE_DRAFT, CASE_ID, CASE_URL, STUDIES
from ui.views import ArrangeView, FileGroupView, FilesView, FormState, GroupPageView, Option
from ui.views.series import ImageTile, SeriesCard, SeriesPageView

_OPEN: Final = tuple(
    replace(study, remove_url="/x", arrange_url=f"{CASE_URL}/arrangement/{study.id}") for study in STUDIES
)
_NAMED: Final = replace(
    _OPEN[1],
    name="Panoramic at the first visit",
    detail="Panoramic, 12 Nov 2026",
    description="Taken elsewhere; the lower front is cut off.",
    teeth=("38", "48"),
)
CASE_ARRANGED: Final = replace(
    CASE_DRAFT,
    files=FilesView(
        case_id=CASE_ID,
        studies=(_OPEN[0],),
        groups=(FileGroupView(id="grp1", name="Before treatment", studies=(_NAMED,), edit_url="/x"),),
        arrange_url=f"/api/v1{CASE_URL}/arrangement",
        upload_url="/api/v1/uploads",
        viewer_url=f"{CASE_URL}/images",
    ),
)
_CRUMBS: Final = (("Cases", "/"), ("HL-2422", CASE_URL))
ARRANGE: Final = ArrangeView(
    url=f"{CASE_URL}/arrangement/s2",
    crumbs=_CRUMBS,
    lead="Panoramic, 12 Nov 2026",
    form=FormState(
        values={"title": _NAMED.name, "description": _NAMED.description, "teeth": ["38", "48"], "group": "grp1"}
    ),
    groups=(Option(value="grp1", word="Before treatment"),),
    tooth_labels={},
)
GROUP: Final = GroupPageView(
    url="/x",
    remove_url="/x",
    crumbs=_CRUMBS,
    form=FormState(values={"name": "Before treatment"}),
)
SERIES: Final = SeriesPageView(
    case_id=CASE_ID,
    number="HL-2422",
    url="/x",
    list_url="/x",
    api_url=f"/api/v1{CASE_URL}/series",
    cards=(
        SeriesCard(
            id="ser_1",
            name="CBCT both jaws",
            about="Cone beam CT · 24 images",
            tiles=(
                ImageTile(
                    id="sty_9",
                    name="Image 1",
                    preview="/styleguide/images/axial.svg",
                    is_moved=True,
                    came_from="Exported alone",
                ),
                *(
                    ImageTile(id=f"sty_{number}", name=f"Image {number}", preview="/styleguide/images/axial.svg")
                    for number in range(1, 8)
                ),
            ),
            rest=16,
            all_url="/x",
        ),
        SeriesCard(
            id="fil_1",
            name="Smile before.jpg",
            about="Photographs, read together · 2 images",
            tiles=(
                ImageTile(id="fil_1", name="Smile before.jpg"),
                ImageTile(id="fil_2", name="Smile, upper teeth.jpg", is_moved=True),
            ),
        ),
        SeriesCard(
            id="ser_2",
            name="Panoramic",
            about="Panoramic radiograph · 1 image",
            tiles=(ImageTile(id="sty_8", name="Image 1", preview="/styleguide/images/panoramic.svg", is_open=False),),
            is_open=False,
        ),
    ),
)
