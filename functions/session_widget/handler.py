"""A custom widget of CloudWatch: the story of a session, for whoever may look at the dashboard and call this function."""

from ocpi_bridge.runtime.widget_door import session_widget
from ocpi_bridge.runtime.wiring import stories

lambda_handler = session_widget(stories.look_back())
