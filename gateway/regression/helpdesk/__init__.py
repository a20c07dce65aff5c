"""The fixture `helpdesk`: agents, requesters, tickets, comments and surveys of two invented service desks."""
