"""What an admin can set of templates."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field


class TemplatesSettings(BaseModel):
    """The table `[plugins.templates]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    folder: Path = Field(
        default=Path("templates"),
        description="The folder with the templates, beside this file unless the path is absolute; it is read live.",
    )
    language: str = Field(
        default="en",
        description="Which language version is taken when there is none in the client's language, nor one for all.",
    )
    most_files: int = Field(
        default=500,
        ge=1,
        description="How many templates are read from the folder.",
    )
    file_bytes: int = Field(
        default=65_536,
        ge=1,
        description="How large a template may be, in bytes.",
    )
    text_characters: int = Field(
        default=4_000,
        ge=1,
        description="How long a text may become once its variables are filled in, in characters.",
    )
    attachment_bytes: int = Field(
        default=10_485_760,
        ge=1,
        description="How large a file that goes with a template may be, in bytes.",
    )
