"""What an admin can set about the history that agents are shown."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class Settings(BaseModel):
    """The table `[plugins.history_by_from]`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    history_by_from: bool = Field(
        default=True,
        description="Whether agents see what was said with a client before, whoever attended them.",
    )
    messages: int = Field(
        default=50,
        ge=0,
        le=500,
        description="How many messages an agent is shown who takes a conversation; 0 is none.",
    )
    later_devices: bool = Field(
        default=True,
        description="Whether a device of the agent that comes later is shown them, too.",
    )
    access_outlives_conversation: bool = Field(
        default=False,
        description="Whether an agent who had a conversation with a client may read all of it for ever.",
    )
