"""The words of the design as types, and the rules that need no I/O. Imports the standard library and nothing of ours.

customers    customer, tier, lane, status              checkpoints  how far a resource has been detected
entities     what a record describes; partitions        runs         one pass of a detector, and its report
people       the canonical record behind `users`        events       a change in its envelope, and its states
records      a normalised item and its hashes           writes       intents, outcomes and links
errors       the tree whose type is the verdict         clock        time as a dependency
sources      what a source connector must do            destinations what a destination connector must do
stores       what storage must do, for both workers     retry        when to try again
limits       what a budget must do; whose share         throttles    a system slowed down for all customers
breakers     whether a system may be asked; pure        passages     how a worker goes through a breaker
backlog      from how many waiting events on nothing is added to them
"""
